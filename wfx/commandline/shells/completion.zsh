#compdef @NAME@
# Completes command lines of @NAME@ in zsh.

_@FUNCTION@() {
    local -a lines candidates
    local line directive
    lines=("${(@f)$(${words[1]} @COMPLETE@ "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    directive=${lines[-1]#:}
    lines=("${(@)lines[1,-2]}")

    case $directive in
        8) _files -g "*.(${(j:|:)lines})" ;;
        16) _files -/ ;;
        *)
            for line in "${(@)lines}"; do
                [[ -n $line ]] || continue
                line=${line//:/\\:}
                candidates+=("${line/$'\t'/:}")
            done
            if (($#candidates)); then
                _describe -t @NAME@ '@NAME@' candidates
            elif [[ $directive == 0 ]]; then
                _files
            fi
            ;;
    esac
}

# As a file in fpath it is called, otherwise it was sourced.
if [[ ${funcstack[1]} == _@FUNCTION@ ]]; then
    _@FUNCTION@ "$@"
else
    compdef _@FUNCTION@ @NAME@
fi

# Completes command lines of @NAME@ in bash.

_@FUNCTION@() {
    local i word prefix="" width=0
    local -a words=() lines=()
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        # bash takes --flag=value apart at the equals sign
        if ((${#words[@]})) && [[ $word == "=" || ${COMP_WORDS[i - 1]} == "=" ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    [[ ${words[-1]} == *=* ]] && prefix=${words[-1]%=*}=

    mapfile -t lines < <("${COMP_WORDS[0]}" @COMPLETE@ "${words[@]}" 2>/dev/null)
    ((${#lines[@]})) || return
    local directive=${lines[-1]#:} current=${words[-1]#"$prefix"}
    unset 'lines[-1]'

    COMPREPLY=()
    case $directive in
        8)
            compopt -o filenames
            mapfile -t COMPREPLY < <(
                compgen -d -- "$current"
                for word in "${lines[@]}"; do compgen -f -X "!*.$word" -- "$current"; done
            )
            ;;
        16)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- "$current")
            ;;
        *)
            for word in "${lines[@]}"; do
                word=${word%%$'\t'*}
                ((${#word} > width)) && width=${#word}
            done
            for word in "${lines[@]}"; do
                # descriptions are only shown where nothing of them can be inserted
                if [[ $word == *$'\t'* && ${#lines[@]} -gt 1 && $COMP_TYPE == 63 ]]; then
                    printf -v word '%-*s  (%s)' "$width" "${word%%$'\t'*}" "${word#*$'\t'}"
                    COMPREPLY+=("$word")
                else
                    word=${word%%$'\t'*}
                    COMPREPLY+=("${word#"$prefix"}")
                fi
            done
            ((directive == 0)) && compopt -o default
            ;;
    esac
}

complete -F _@FUNCTION@ @NAME@

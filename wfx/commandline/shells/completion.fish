# Completes command lines of @NAME@ in fish.

function __@FUNCTION@_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l lines ($words[1] @COMPLETE@ $words[2..-1] "$current" 2>/dev/null)
    set -q lines[1]; or return
    set -l directive (string replace ':' '' -- $lines[-1])
    set -e lines[-1]

    switch $directive
        case 8
            for file in "$current"*
                if test -d "$file"
                    printf '%s/\n' $file
                else if contains -- (string replace --regex '.*\.' '' -- $file) $lines
                    printf '%s\n' $file
                end
            end
        case 16
            __fish_complete_directories "$current"
        case '*'
            # a word and its description, with a tab between them, are what fish expects
            set -q lines[1]; and printf '%s\n' $lines
            if test "$directive" = 0; and not set -q lines[1]
                __fish_complete_path "$current"
            end
    end
end

complete --command @NAME@ --no-files --keep-order --arguments '(__@FUNCTION@_complete)'

# Completion of swimctl for fish. What may come next is asked of swimctl itself, and so of the daemon
# that it would talk to: members by name, tags, keys.
function __swimctl_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    for line in ($words[1] --complete line $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete --command swimctl --no-files --arguments '(__swimctl_complete)'

# Completion of swimctl for bash. What may come next is asked of swimctl itself, and so of the daemon
# that it would talk to: members by name, tags, keys.
_swimctl() {
    local line=${COMP_LINE:0:COMP_POINT} current='' candidate word
    local -a words
    COMPREPLY=()
    read -ra words <<<"$line"
    # The word under the cursor, "" behind a blank.
    if [[ $line == *[[:blank:]] ]]; then
        words+=('')
    fi
    current=${words[-1]}
    # bash takes words apart at these, and replaces the last part only.
    local kept=''
    if [[ $current == *[=:]* ]]; then
        kept=${current%"${current##*[=:]}"}
    fi
    while IFS= read -r candidate; do
        if [[ $candidate == :files ]]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r word; do
                COMPREPLY+=("$word")
            done < <(compgen -f -- "$current")
            continue
        fi
        word=${candidate%%$'\t'*}
        printf -v word '%q' "${word#"$kept"}"
        COMPREPLY+=("$word")
        # A value follows at once.
        [[ $candidate == *=$'\t'* || $candidate == *= ]] && compopt -o nospace 2>/dev/null
    done < <("${words[0]}" --complete line "${words[@]:1}" 2>/dev/null)
    return 0
}
complete -F _swimctl swimctl

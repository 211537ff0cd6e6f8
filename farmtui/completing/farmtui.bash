# bash completion for farmtui. For everybody: in /usr/share/bash-completion/completions/farmtui.
_farmtui() {
    local line=${COMP_LINE:0:COMP_POINT} word value help
    COMPREPLY=()
    # What bash has split at = and : is one word to farmtui.
    word=${line##*[[:space:]]}
    while IFS=$'\t' read -r value help; do
        if [[ $value == :files ]]; then
            compopt -o default
            return
        fi
        [[ $value == *= ]] && compopt -o nospace
        COMPREPLY+=("$value")
    done < <("$1" __complete "$line" 2>/dev/null)
    # Only what stands after the last of them is replaced.
    if [[ $word == *[=:]* && $COMP_WORDBREAKS == *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*[=:]}"}"}")
    fi
}
complete -F _farmtui farmtui

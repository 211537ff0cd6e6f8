#compdef farmtui
# zsh completion for farmtui. As a file named _farmtui in a folder of $fpath, or sourced after compinit.
_farmtui() {
    local -a found open
    local line value help tab=$'\t'
    for line in "${(@f)$(${~words[1]} __complete "${(j: :)words[1,CURRENT]}" 2>/dev/null)}"; do
        value=${line%%$tab*} help=${line#*$tab}
        case $value in
            :files) _files; return ;;
            '') ;;
            *=) open+=("${value//:/\\:}:$help") ;;
            *) found+=("${value//:/\\:}:$help") ;;
        esac
    done
    (( $#found )) && _describe farmtui found
    (( $#open )) && _describe farmtui open -S ''
    return 0
}
if [[ $funcstack[1] == _farmtui ]]; then
    _farmtui "$@"
else
    compdef _farmtui farmtui
fi

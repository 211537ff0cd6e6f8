# fish completion for farmtui. For everybody: in /usr/share/fish/vendor_completions.d/farmtui.fish.
function __farmtui_complete
    set -l words (commandline -opc)
    for line in ($words[1] __complete (commandline -cp | string collect) 2>/dev/null)
        if string match -q ':files*' -- $line
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c farmtui -f -a '(__farmtui_complete)'

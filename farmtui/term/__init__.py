"""What a terminal shows and how it is made to show something else; Textual is `farmtui.terminal`'s part."""

"""A tour of the whole console, cell by cell: what the terminal shows is what Textual rendered."""

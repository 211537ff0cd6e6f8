"""The house rules that no linter knows: sizes, layers, hosts, paths, docs, packaging."""

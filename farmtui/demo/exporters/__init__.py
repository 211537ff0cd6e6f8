"""What the farm's exporters would be scraped for: each metric by its real name and labels, from the world's signals."""

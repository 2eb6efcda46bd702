"""From scores to tables and figures: means with intervals, cells, styles, canvas, export. Knows no family."""

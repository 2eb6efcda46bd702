"""The summary page of a study, and the page that links them."""

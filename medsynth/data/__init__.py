"""Reading raw files of any usual format, and deciding what their columns are."""

"""Tables and figures from scores and evidence, in the forms of the papers."""

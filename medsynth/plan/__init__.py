"""From a configuration to the files that a study makes: settings, runs, look-ups for rules, estimate, comparison."""

"""Python environments of packages that cannot live beside the project's own.

Needs: envs/<environment>.txt, Python 3.11, a package index. Yields: .environments/<environment>/, for all studies.
"""


rule make_environment:
    """Install what a lock file names into an environment of its own."""
    input:
        "envs/{environment}.txt",
    output:
        ".environments/{environment}/installed.txt",
    log:
        "results/logs/make_environment_{environment}.log",
    wildcard_constraints:
        environment="[a-z]+",
    localrule: True
    conda:
        "../../envs/medsynth.yaml"
    message:
        "make the environment {wildcards.environment}"
    script:
        "../../scripts/make_environment.py"

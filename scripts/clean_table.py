"""Clean the raw table by its codebook; write what was done and where the data come from."""

from _job import Job, log, run, share_imports, write_text

share_imports(__name__)

import json

from medsynth.codebook import Codebook
from medsynth.data.opening import sha256
from medsynth.data.reading import read_raw
from medsynth.errors import InputError
from medsynth.preparation.cleaning import clean


def main(job: Job) -> None:
    """Verify the raw table's checksum, clean it, write table, codebook, report and provenance."""
    codebook = Codebook.from_yaml(job.input.codebook)
    paths = list(job.input.raw)
    checksums = [sha256(path, codebook.raw.member) for path in paths]
    declared = codebook.raw.sha256
    if job.params.source != "simulated" and declared and checksums[0] != declared:
        raise InputError(
            f"{paths[0]} is not the table of {job.input.codebook}: its sha256 is {checksums[0]}, but {declared} is "
            "declared; get the file again, or correct 'sha256' if you mean this table."
        )
    raw = read_raw(paths[0], codebook, joined=paths[1:])
    log.info("read %d rows, %d columns of %s", *raw.shape, " + ".join(paths))
    table, report = clean(raw, codebook, max_missing=job.params.max_missing, least=job.params.minimum_cell_size)
    log.info("clean table: %d rows, %d columns", *table.shape)
    table.to_parquet(job.output.table, index=False)
    report.to_csv(job.output.report, index=False, lineterminator="\n")
    write_text(job.output.codebook, codebook.resolved(table, learn_ranges=False).to_json())
    provenance = {
        "dataset": codebook.name,
        "source": job.params.source,
        "sha256": checksums,
        "raw_rows": len(raw),
        "publisher": codebook.publisher,
        "licence": codebook.licence,
    }
    write_text(job.output.provenance, json.dumps(provenance, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)

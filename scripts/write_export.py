"""Sample an export from one model: synthetic rows under the raw table's headers and codes, and their dictionary."""

from _job import Job, log, read_tables, run, share_imports, write_text

share_imports(__name__)

from pathlib import Path

from medsynth.codebook import Codebook
from medsynth.data.reading import read_table
from medsynth.disclosure import without_rare_categories
from medsynth.display.export import text_of_restored, write_table
from medsynth.generators import generator_class
from medsynth.generators.guarantee import refuse_seeded
from medsynth.preparation.checks import check_clean
from medsynth.preparation.restoring import file_names, reasons, restore
from medsynth.randomness import derive_seed


def main(job: Job) -> None:
    """Sample, check, leave out what few patients have, restore, write."""
    import pandas as pd

    wanted = job.params.export
    model = generator_class(wanted["class_path"]).load(Path(job.input.models) / f"epochs{wanted['epochs']}")
    refuse_seeded(model, wanted["generator"])
    # Another word than "deliverable" would give other rows.
    seed = derive_seed(job.params.study_seed, wanted["generator"], wanted["seed"], "deliverable")
    prepared = Codebook.from_json(job.input.prepared)
    table = prepared.conform(model.sample(wanted["rows"], seed=seed))
    check_clean(table, prepared, what=f"The table that {wanted['generator']} sampled")
    codebook = Codebook.from_yaml(job.input.codebook)
    (clean,) = read_tables(job, "clean")
    table, cells = without_rare_categories(table, clean, codebook, least=job.params.minimum_cell_size)
    log.info("cells whose category fewer than %d patients have: %s", job.params.minimum_cell_size, cells)
    names = file_names(codebook, wanted["file"])
    raw = {name: read_table(path, codebook) for name, path in zip(names, job.input.raw, strict=True)}
    dropped = reasons(pd.read_csv(job.input.cleaning, keep_default_na=False))
    tables, dictionary = restore(table, codebook, raw, dropped)
    folder = Path(job.output.export)
    folder.mkdir(exist_ok=True)
    for name, restored in tables.items():
        write_text(folder / name, text_of_restored(restored, codebook))
        log.info("%s: %d rows, %d columns", name, *restored.shape)
    write_table(
        dictionary,
        dictionary,
        folder / f"{Path(names[0]).stem}_dictionary",
        caption=f"Data dictionary of {', '.join(names)}: {wanted['rows']:,} synthetic rows of {wanted['title']} "
        f"({wanted['epochs']} epochs, seed {wanted['seed']}). Identifiers are fresh. Texts of fewer than "
        f"{job.params.minimum_cell_size} real patients are one category. Headers that the file lacks have a reason.",
        note=job.params.note,
        formats=("csv", "html"),
    )


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)

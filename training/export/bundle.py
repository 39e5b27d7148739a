"""A folder that Presage registers: a manifest, and the files that it names by size and checksum."""

import gzip
import hashlib
import json

import numpy


def write_bundle(folder, manifest, files):
    """Writes the files, and the manifest with their sizes and checksums in the place that its key `files` holds.

    files: bytes by name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    stated = {name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
              for name, content in files.items()}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "files": stated}, indent=2) + "\n")


def write_compressed(path, text):
    """Writes a text as .gz, the same bytes each time."""
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write(text.encode())


def hybrid_causal_fields(network_file):
    """What the manifest of every hybrid causal model says of its network."""
    return {"model_type": "hybrid_causal_model",
            "runtime": {"file": network_file, "input": "features",
                        "outputs": {name: name for name in ("causal_effects", "regime_probabilities", "uncertainty")}}}


def hybrid_causal_golden(rows, answers, tolerance):
    """Golden inputs with the answers that the estimators themselves gave.

    rows: each a value, or None, by column. answers: arrays [rows, width] by output.
    """
    return {"tolerance": tolerance,
            "cases": [{"input": row, "expected": {
                "causal_effects": numbers(answers["causal_effects"][place]),
                "regime_probabilities": numbers(answers["regime_probabilities"][place]),
                "uncertainty": numbers(answers["uncertainty"][place])[0]}} for place, row in enumerate(rows)]}


def numbers(values):
    return [float(value) for value in numpy.ravel(values)]

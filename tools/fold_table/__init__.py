"""The parts of `tools/build_fold_table.py`: database -> folds -> flags -> table -> documentation."""

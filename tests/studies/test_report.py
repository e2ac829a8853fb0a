from symmflow_jax.studies import report


def test_tables_give_means_and_deviations():
    rows = {"tied": {1: [1.0, 3.0], 50: [0.5]}, "free": {50: [0.25, 0.25, 0.25]}}
    assert report.table_over_seeds("clock", rows, (1, 50)).splitlines() == [
        "| clock | 1 | 50 |",
        "| --- | --- | --- |",
        "| tied | 2.0000 ± 1.4142 | 0.5000 |",
        "| free |  | 0.2500 ± 0.0000 |",
    ]

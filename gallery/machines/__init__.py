"""Other machines that look at pictures, by Dask's scheduler; docs/machines.md."""

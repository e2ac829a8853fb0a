"""Folders and files on disks and in buckets (`gs://`, `s3://`), under one interface."""

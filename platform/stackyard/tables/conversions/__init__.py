"""A field's change of type on a live table: a second column, filled by the store with every write and in batches by a job.

`casting` makes a value of one type into one of another, `planning` says beforehand what would happen, `starting` begins,
`tracking` has the triggers that note what writers do who do not know the second column yet, `batches` converts, `job` is
the run around it, `switching` puts the new column in the old one's place, and takes everything back when it fails.
"""

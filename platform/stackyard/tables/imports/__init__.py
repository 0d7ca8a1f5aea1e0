"""CSV into a table as a durable run.

`uploads` keeps the file in the home, `sniffing` says how it is written, `guessing` what its columns hold, `plan` is
the job as a person asked for it, `rows` reads, `columns` checks a column of a batch at a time, `writing` puts a batch
into the table, `job` does that batch by batch and keeps its position with each.
"""

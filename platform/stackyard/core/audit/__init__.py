"""The audit log: who changed what, when and from where, with before and after.

A model whose rows are what people build or set says so by being `Audited`; its rows then cannot be saved or deleted
without an entry in the same transaction, whichever door the change came through.
"""

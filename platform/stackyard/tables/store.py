"""PLACEHOLDER so that imports work until the tables are written: overwrite this file."""


class Store:
    def __init__(self, schema, on_query=None):
        self.schema = schema

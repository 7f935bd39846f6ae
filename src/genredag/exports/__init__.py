"""The data of a split as files that other projects read: tables of features, folders of pictures."""

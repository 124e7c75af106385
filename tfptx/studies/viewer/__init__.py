"""The viewer: cases of records or maps, one by one, in a browser on the same machine."""

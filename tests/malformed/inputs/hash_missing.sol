c graph-hash

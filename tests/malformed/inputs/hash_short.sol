c graph-hash 12ab
s col 1

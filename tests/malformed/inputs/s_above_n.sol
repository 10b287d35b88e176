s col 4

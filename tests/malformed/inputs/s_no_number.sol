s col

c x

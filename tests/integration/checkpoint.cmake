# The checkpoint file on a full disk, and when its writer is killed.
prism_cmocka(integration ${CMAKE_CURRENT_LIST_DIR}/test_checkpoint_survival.c prism_hdf5)

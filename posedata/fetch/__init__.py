"""Raw data from its authors: where it is, how it is downloaded, what of it is unpacked."""

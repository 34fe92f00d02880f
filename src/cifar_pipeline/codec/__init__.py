"""The lossy codec of images: transforms, entropy coding, the file and its commands."""

package blob

// BufferSize lets tests choose bodies around the size of a buffer.
const BufferSize = bufferSize

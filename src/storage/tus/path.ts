/** Path of the protocol of resumable uploads, below the service's prefix. */
export const tusPath = '/upload/resumable';

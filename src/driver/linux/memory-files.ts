// Unnamed files in memory, which sendfile() sends without a copy and without waiting for a disk.

import { closeSync, writeSync } from 'node:fs';
import { ERRNO, faultOf } from '../../base/errno.ts';
import type { MemoryFiles } from '../driver.ts';
import { openSharedMemory } from './shared-memory.ts';

const NAME = 'vibing-content';

export const linuxMemoryFiles: MemoryFiles = {
  create(content) {
    const fd = openSharedMemory(NAME);
    if (fd === null) return -1;
    try {
      for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
      return fd;
    } catch (error) {
      closeSync(fd);
      return faultOf(error, ERRNO.EIO);
    }
  },
  close: closeSync,
};

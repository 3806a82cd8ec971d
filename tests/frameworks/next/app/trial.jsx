'use client';
import { useEffect } from 'react';

/** Begins once React has taken over what the server wrote. */
export function Trial() {
  useEffect(() => { import('../trial/begin.js'); }, []);
  return null;
}

import { spawnNode } from 'lumina-node';

export const boot = () => spawnNode();

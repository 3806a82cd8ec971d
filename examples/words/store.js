/** Keeps secrets where the origin can read them. A device has something better. */
export class PageStore {
  get(name) {
    const kept = localStorage.getItem(`secret/${name}`);
    return kept === null ? null : new TextEncoder().encode(kept);
  }

  put(name, secret) {
    localStorage.setItem(`secret/${name}`, new TextDecoder().decode(secret));
  }

  delete(name) {
    localStorage.removeItem(`secret/${name}`);
  }
}

import 'antiphon/player';
import { useEffect, useRef, useState } from 'react';

/** Follows a player's snapshot; a component renders again when something has changed. */
export function useSnapshot(player) {
  const [snapshot, setSnapshot] = useState(null);
  useEffect(() => {
    const element = player.current;
    const show = ({ detail: { type } }) => type === 'changed' && setSnapshot(element.snapshot());
    element.addEventListener('antiphon-event', show);
    return () => element.removeEventListener('antiphon-event', show);
  }, [player]);
  return snapshot;
}

export function App({ stream, node, chain, publisher, tracker }) {
  const player = useRef(null);
  const delivery = useSnapshot(player)?.delivery ?? { fromPeers: 0, fromOrigin: 0, toPeers: 0 };
  const share = Math.round((100 * delivery.fromPeers) / Math.max(1, delivery.fromPeers + delivery.fromOrigin));
  return (
    <main>
      <antiphon-player ref={player} src={stream} node={node} chain={chain} publisher={publisher} tracker={tracker} />
      <p role="status">{share} % from listeners, {delivery.toPeers} bytes given to them.</p>
    </main>
  );
}

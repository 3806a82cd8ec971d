'use client';
import 'antiphon/player';

export function Radio(stream) {
  return <antiphon-player {...stream} />;
}

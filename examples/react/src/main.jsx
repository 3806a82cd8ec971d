import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.jsx';

// Known beforehand on a site of its own.
const { stream, node, chain, publisher, tracker } = await (await fetch('config.json')).json();
createRoot(document.getElementById('root')).render(<StrictMode><App {...{ stream, node, chain, publisher, tracker }} /></StrictMode>);

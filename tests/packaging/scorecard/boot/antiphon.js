import { connect } from 'antiphon';

export const boot = () => connect({ node: 'http://127.0.0.1:1024/', chain: '07'.repeat(32), storage: 'memory' });

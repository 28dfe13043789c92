import './base.css';
import './sandbox.css';

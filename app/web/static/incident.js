// incident.js - one incident's page.
import './app.js';

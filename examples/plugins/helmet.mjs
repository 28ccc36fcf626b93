import helmet from 'helmet';

/** @type {import('swarmgate').Plugin} com.df.plugins=helmet, or helmet(csp=false,hsts=false) */
export default ({ csp = true, hsts = true }) => helmet({ contentSecurityPolicy: csp, strictTransportSecurity: hsts });

/** Sets a header that the endpoint gets. @type {import('swarmgate').Plugin} com.df.plugins=request-header(name=X-Team,value=blue) */
export default ({ name, value }) => {
  if (typeof name !== 'string') throw new Error('the option name is not set');
  return (request, _response, next) => {
    request.headers[name.toLowerCase()] = String(value);
    next();
  };
};

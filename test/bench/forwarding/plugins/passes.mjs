/** The least that a plug-in does. */
export default () => (_request, _response, next) => next();

// Where the Function App answers, whichever hosting it has. Makes nothing.

@description('Name of the environment.')
param environmentName string

@description('Name of the Function App.')
param functionAppName string

@description('containerApps or premium.')
param hosting string

resource managedEnvironment 'Microsoft.App/managedEnvironments@2025-07-01' existing = {
  name: environmentName
}

@description('Its address.')
output url string = hosting == 'premium' ? 'https://${functionAppName}.azurewebsites.net' : 'https://${functionAppName}.${managedEnvironment.properties.defaultDomain}'
